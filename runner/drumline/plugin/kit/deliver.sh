# Puts content at $dest, if what is there differs; place.sh stands ahead of it. The content comes from ($origin):
#   stdin   standard input, in this one round trip
#   check   nowhere yet: answers upload=TEMPORARY when it is needed
#   upload  the temporary $upload, filled since the check
settle
place
placed
