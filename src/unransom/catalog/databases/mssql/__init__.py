"""SQL Server: data files, logs and backups."""
