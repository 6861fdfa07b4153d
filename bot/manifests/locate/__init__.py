"""From an entry of `targets:` to the form in which its pin is written. One module for each family."""
