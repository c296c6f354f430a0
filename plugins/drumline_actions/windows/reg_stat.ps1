# Tells of the key $path, or of its value $name.
$root, $sub = Split-Registry $path
$key = $root.OpenSubKey($sub)
$answer.changed = $false
$answer.exists = $null -ne $key
if ($answer.exists -and $null -ne $name) {
    $value = Read-Value $key $name
    $answer.exists = $null -ne $value
    if ($answer.exists) {
        $kinds = @{ None = 'REG_NONE'; Binary = 'REG_BINARY'; DWord = 'REG_DWORD'; ExpandString = 'REG_EXPAND_SZ'; MultiString = 'REG_MULTI_SZ'; String = 'REG_SZ'; QWord = 'REG_QWORD' }
        $answer.type = $kinds[$value.kind]
        $answer.raw_value = $value.data
        $answer.value = if ($value.kind -in 'Binary', 'None') { @($value.raw) } else { $key.GetValue($name) }
    }
}
elseif ($answer.exists) {
    $answer.sub_keys = @($key.GetSubKeyNames())
    $answer.properties = @{}
    foreach ($each in $key.GetValueNames()) {
        $value = Read-Value $key $each
        $answer.properties[$(if ($each) { $each } else { '(default)' })] = @{ type = $value.kind; raw_value = $value.data; value = $value.data }
    }
}
