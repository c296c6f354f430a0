# The users and groups of this host, by the directory service WinNT.
function New-Entry($what) { New-Object DirectoryServices.DirectoryEntry $what }

$computer = New-Entry "WinNT://$env:COMPUTERNAME,computer"

function Find-Entry([string]$kind, [string]$called) { try { $computer.Children.Find($called, $kind) } catch { } }

function Value-Of($entry, [string]$property) { $entry.Properties[$property].Value }

function Sid-Of($entry) { [Security.Principal.SecurityIdentifier]::new([byte[]](Value-Of $entry 'objectSid'), 0) }

# Those who are in the group, by their SIDs; some of them may be gone.
function Read-Members($group) { foreach ($member in $group.Invoke('Members')) { (Sid-Of (New-Entry $member)).Value } }

function Add-Member($group, [string]$sid) { $null = $group.Invoke('Add', @("WinNT://$sid")) }

function Remove-Member($group, [string]$sid) { $null = $group.Invoke('Remove', @("WinNT://$sid")) }

# Sets a property, if it is given and another one.
function Set-Property($entry, [string]$property, $value) {
    if ($null -eq $value -or "$(Value-Of $entry $property)" -ceq "$value") { return }
    Differs $property "$(Value-Of $entry $property)" "$value"
    Change { $entry.Properties[$property].Value = $value; $entry.CommitChanges() }
}
