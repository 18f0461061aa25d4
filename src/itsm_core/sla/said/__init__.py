"""What else was said to those who wait: promises, overruns that were justified, results told anew.

Order: promises, overruns, restating.
"""
