"""The database: tables, claims, the repository, and queries that change nothing."""
