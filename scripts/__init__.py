"""What prepares a checkout: a file per step that needs more than a line of shell; `setup.sh` joins them."""
