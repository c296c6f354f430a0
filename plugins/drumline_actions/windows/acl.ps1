# Permissions of files, directories and keys of the registry: 5.1 and 7 reach those of files in two ways.

# What is at $path: a file, a directory, or a key that is open for it.
function Open-Object([string]$place) {
    if ($place -match '^HK(LM|CU|CR|CC|U):') {
        $root, $below = Split-Registry $place
        $key = $root.OpenSubKey($below, 'ReadWriteSubTree', 'ReadPermissions, ChangePermissions')
        if ($key) { return $key }
    }
    else {
        $full = Full $place
        if ([IO.Directory]::Exists($full)) { return [IO.DirectoryInfo]$full }
        if ([IO.File]::Exists($full)) { return [IO.FileInfo]$full }
    }
    throw "$place file or directory does not exist on the host"
}

function Read-Acl($object, [string]$part) {
    if ($object -is [IO.FileSystemInfo] -and ('IO.FileSystemAclExtensions' -as [type])) { [IO.FileSystemAclExtensions]::GetAccessControl($object, $part) }
    else { $object.GetAccessControl($part) }
}

function Write-Acl($object, $acl) {
    if ($object -is [IO.FileSystemInfo] -and ('IO.FileSystemAclExtensions' -as [type])) { [IO.FileSystemAclExtensions]::SetAccessControl($object, $acl) }
    else { $object.SetAccessControl($acl) }
}
