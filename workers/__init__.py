"""What carries campaign jobs out."""
