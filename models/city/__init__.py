"""The simulated city: people and their ordinary days, scams as scripts, and the truth about who is defrauded when."""
