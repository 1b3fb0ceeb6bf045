"""Django's SQLite without the layers that a process alone with its own database does not need."""
