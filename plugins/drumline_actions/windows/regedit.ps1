# Brings the value $name of the key $path to $data of the $kind, or the key itself; without $present it is deleted.
function New-Data {
    switch ($kind) {
        { $_ -in 'binary', 'none' } {
            $bytes = [byte[]]::new($data.Length / 2)
            for ($i = 0; $i -lt $bytes.Length; $i++) { $bytes[$i] = [Convert]::ToByte($data.Substring(2 * $i, 2), 16) }
            return , $bytes
        }
        'dword' { return [BitConverter]::ToInt32([BitConverter]::GetBytes([uint32]::Parse($data)), 0) }
        'qword' { return [BitConverter]::ToInt64([BitConverter]::GetBytes([uint64]::Parse($data)), 0) }
        'multistring' { return , [string[]]@($data) }
        default { return [string]$data }
    }
}

function Same($old, $new) {
    if ($old -is [Array] -or $new -is [Array]) {
        $left, $right = @($old), @($new)
        if ($left.Count -ne $right.Count) { return $false }
        for ($i = 0; $i -lt $left.Count; $i++) { if ($left[$i] -cne $right[$i]) { return $false } }
        return $true
    }
    $old -ceq $new
}

function Set-Value($root, [string]$sub) {
    $key = $root.OpenSubKey($sub)
    if ($key_alone) {
        if ($null -eq $key) { Change { $root.CreateSubKey($sub).Dispose() } }
        return
    }
    $kinds = @{ none = 'None'; binary = 'Binary'; dword = 'DWord'; expandstring = 'ExpandString'; multistring = 'MultiString'; string = 'String'; qword = 'QWord' }
    $wanted = New-Data
    $old = Read-Value $key $name
    if ($null -ne $old) {
        $answer.type_changed = $old.kind -ne $kinds[$kind]
        $answer.data_changed = -not (Same $old.raw $wanted)
        if (-not ($answer.type_changed -or $answer.data_changed)) { return }
    }
    Change {
        $target = $root.CreateSubKey($sub)
        try { $target.SetValue("$name", $wanted, [Microsoft.Win32.RegistryValueKind]$kinds[$kind]) } finally { $target.Dispose() }
    }
}

function Remove-It($root, [string]$sub) {
    $key = $root.OpenSubKey($sub)
    if ($null -eq $key) { return }
    $key.Dispose()
    if ($null -eq $name -and $delete_key) {
        Change { $root.DeleteSubKeyTree($sub) }
        return
    }
    $target = $root.OpenSubKey($sub, -not $check)
    try {
        if (@($target.GetValueNames()) -contains "$name") { Change { $target.DeleteValue("$name") } }
    }
    finally { $target.Dispose() }
}

$answer.changed = $false
if ($hive) {
    if (-not [IO.File]::Exists($hive)) { throw "hive at path '$hive' is not valid or accessible, cannot load hive" }
    $said = reg.exe load HKLM\ANSIBLE $hive 2>&1
    if ($LASTEXITCODE) { throw "The hive $hive can't be loaded: $said" }
}
try {
    $root, $sub = Split-Registry $path
    if ($present) { Set-Value $root $sub } else { Remove-It $root $sub }
}
finally {
    if ($hive) {
        [GC]::Collect()
        $null = reg.exe unload HKLM\ANSIBLE 2>&1
    }
}
