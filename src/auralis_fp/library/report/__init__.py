"""What a library's owner is told: findings about recordings, exports, verification."""
