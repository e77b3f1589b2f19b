"""diff_causes."""
