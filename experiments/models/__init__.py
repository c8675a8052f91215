"""What commands do with any model: draw samples, encode, decode, score."""
