"""What a case says, in the formats of others: courts, insurers, and those who hunt the same attackers."""
