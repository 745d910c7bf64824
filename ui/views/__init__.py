"""One file a view; a view shows a ReviewState, sends wishes as signals and knows no other view."""
