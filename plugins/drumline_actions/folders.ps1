# Makes the folders $folders; answers whether any was missing.
$answer.changed = $false
foreach ($folder in $folders) { MakeFolder (Full $folder) }
