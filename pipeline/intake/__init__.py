"""From files and folders that somebody opens to the studies they hold."""
