"""The database: tables, claims, the repository, and questions that change nothing."""
