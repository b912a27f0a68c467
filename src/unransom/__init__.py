"""unransom gets a company's data back after a ransomware attack, without paying."""

__version__ = "0.1.0"
