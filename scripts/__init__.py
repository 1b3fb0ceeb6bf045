"""What `make` runs: setting up, starting everything, stores without installation, checks."""
