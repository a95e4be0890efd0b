"""What runs, how the endpoints fare, and who uses how much: pages beside the admin's own."""
