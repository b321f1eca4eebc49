"""Small programs for the people who maintain the project."""
