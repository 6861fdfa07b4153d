"""The edits of a bump and of its revert: which files, which pins, on today's default branch."""
