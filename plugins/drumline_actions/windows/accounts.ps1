# Users and groups by any of their names: DOMAIN\name, .\name, name@domain, name, or the SID itself.

function To-Sid([string]$name) {
    if ($name -match '^\*?(S-1-[0-9-]+)$') { return [Security.Principal.SecurityIdentifier]::new($Matches[1]) }
    $full = $name -replace '^\.\\', "$env:COMPUTERNAME\"
    try { [Security.Principal.NTAccount]::new($full).Translate([Security.Principal.SecurityIdentifier]) }
    catch { throw "The user or group '$name' isn't known on this host: $($_.Exception.GetBaseException().Message)" }
}

# The name, or the SID of an account that is gone.
function To-Name($sid) { try { $sid.Translate([Security.Principal.NTAccount]).Value } catch { $sid.Value } }
