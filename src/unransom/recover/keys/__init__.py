"""From locked files to a key that is proven to open them."""
