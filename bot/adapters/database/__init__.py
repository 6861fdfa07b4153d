"""PostgreSQL: the store, its tables and their migrations."""
