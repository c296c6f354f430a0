# Gives the host the name $name, which it has from its next start on.
$answer.changed = $false
$answer.old_name = [Environment]::MachineName
$answer.reboot_required = $false
$place = 'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\ComputerName'
# The name that it will have, which may differ already.
$next = "$([Microsoft.Win32.Registry]::GetValue("$place\ComputerName", 'ComputerName', $answer.old_name))"
if ($next -eq $name) { $answer.reboot_required = $answer.old_name -ne $name; return }
Differs 'name' $next $name
Change { Rename-Computer -NewName $name -Force -WarningAction SilentlyContinue }
$answer.reboot_required = $true
