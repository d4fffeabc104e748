"""What makes mutants is installed in an environment of its own, so nothing here is collected."""

collect_ignore_glob = ["*.py"]
