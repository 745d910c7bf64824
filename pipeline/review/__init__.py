"""What a reader changes on a finished run: the command log folded into results."""
