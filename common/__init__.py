"""What knows nothing of ads or jobs."""
