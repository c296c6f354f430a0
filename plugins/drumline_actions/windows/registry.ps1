# What scripts of the registry share. A path is HIVE:\key\…, with or without the colon.
function Split-Registry([string]$path) {
    $hive, $rest = $path.Replace('/', '\') -split '\\', 2
    $hive = $hive.TrimEnd(':').ToUpperInvariant()
    $roots = @{
        HKLM = [Microsoft.Win32.Registry]::LocalMachine; HKCU = [Microsoft.Win32.Registry]::CurrentUser
        HKCR = [Microsoft.Win32.Registry]::ClassesRoot; HKCC = [Microsoft.Win32.Registry]::CurrentConfig
        HKU = [Microsoft.Win32.Registry]::Users
    }
    if (-not $roots.ContainsKey($hive)) { throw "$path isn't a path of the registry: it begins with HKLM:, HKCU:, HKCR:, HKCC: or HKU:" }
    $roots[$hive], "$rest".Trim('\')
}

function Hex([byte[]]$bytes) { [BitConverter]::ToString($bytes).Replace('-', '').ToLowerInvariant() }

# A value as it stands there, without names of variables filled in: its kind, and the data in the form in which it is compared.
function Read-Value($key, $name) {
    if ($null -eq $key -or @($key.GetValueNames()) -notcontains "$name") { return $null }
    $kind = $key.GetValueKind($name)
    $raw = $key.GetValue($name, $null, [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
    $shown = switch ("$kind") {
        'Binary' { Hex $raw }
        'None' { if ($raw -is [byte[]]) { Hex $raw } else { '' } }
        'MultiString' { , @($raw) }
        default { $raw }
    }
    @{ kind = "$kind"; raw = $raw; data = $shown }
}
