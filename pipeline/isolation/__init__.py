"""Worker processes: untrusted files are parsed, and long computations done, outside the application's own process."""
