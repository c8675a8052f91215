"""Networks that read text: captions as UTF-8 bytes padded with zeros, to a vector or to a vector for each byte."""
