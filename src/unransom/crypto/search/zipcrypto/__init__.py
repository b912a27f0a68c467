"""The old encryption of ZIP archives: its cipher, and the attack of Biham and Kocher with known plaintext."""
