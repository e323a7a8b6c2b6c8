"""What is looked at before anything is changed: every host by itself, and whether hosts reach each other."""
