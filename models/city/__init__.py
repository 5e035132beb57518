"""The simulated city: people and their ordinary days, fraud as scripts, and the truth about who is defrauded when."""
