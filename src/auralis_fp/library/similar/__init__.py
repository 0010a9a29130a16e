"""What the numbers of a library are for: similar tracks, playlists, copies of one recording."""
