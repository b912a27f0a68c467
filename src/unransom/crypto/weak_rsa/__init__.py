"""Weak RSA: moduli that fall without a key, and what the others would cost."""
