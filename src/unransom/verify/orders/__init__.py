"""Orders against payments: what the exports of the channels prove, and what they leave open."""
