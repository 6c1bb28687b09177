"""The learned tagger: names of persons, places and organisations, nationalities, job titles, postal addresses."""
