"""What a library holds, for its owner: findings about recordings, exports, verification."""
