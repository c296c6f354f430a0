# Puts content at $dest, if what is there differs; place.ps1 stands ahead of it. The content comes from ($origin):
#   text    $content, base64, in this one round trip
#   check   nowhere yet: answers upload=TEMPORARY when it is needed
#   upload  the temporary $upload, filled since the check
$dest = Settle (Full $dest)
$answer.checksum = $checksum
Place '' $dest $checksum
Placed $dest
