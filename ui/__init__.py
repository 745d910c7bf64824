"""The review workstation: Qt widgets that show snapshots of a study and send wishes back."""
