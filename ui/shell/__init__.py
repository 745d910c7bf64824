"""What the window is assembled from: tables of views and connections, head, docks, menus, questions."""
