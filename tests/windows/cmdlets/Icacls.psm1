# icacls.exe: NAME /setowner USER [/T] [/C] [/Q]. Wine's owners can't be changed, so it only remembers what it was told.
function Reset-Icacls { [AppDomain]::CurrentDomain.SetData('Icacls', @{ words = '' }) }

function icacls.exe {
    [AppDomain]::CurrentDomain.GetData('Icacls').words = "$($args[1..($args.Count - 1)])"
    $global:LASTEXITCODE = 0
    if (-not (Test-Path -LiteralPath $args[0])) { $global:LASTEXITCODE = 2; "$($args[0]): The system cannot find the file specified." }
    elseif ($args[1] -ne '/setowner' -or $args[2] -notmatch '^\*S-1-') { $global:LASTEXITCODE = 87; "Invalid parameter `"$($args[1])`"" }
}

if (-not [AppDomain]::CurrentDomain.GetData('Icacls')) { Reset-Icacls }
