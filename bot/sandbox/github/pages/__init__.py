"""Small pages to read pull requests, comment, and play the people who do."""
