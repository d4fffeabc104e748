"""What two installations may differ in."""
