"""The console: the pages and the API by which stations and the centre see cases and say what they did."""
