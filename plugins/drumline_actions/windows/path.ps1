# Adds $elements to the variable $name of the $level, or removes them. Names of variables in it stay as they are.
$root, $sub = if ($level -eq 'machine') { [Microsoft.Win32.Registry]::LocalMachine, 'SYSTEM\CurrentControlSet\Control\Session Manager\Environment' } else { [Microsoft.Win32.Registry]::CurrentUser, 'Environment' }
$key = $root.OpenSubKey($sub)
$before = if ($key) { "$($key.GetValue($name, '', 'DoNotExpandEnvironmentNames'))" } else { '' }
$plain = { param($text) [Environment]::ExpandEnvironmentVariables($text).TrimEnd('\') }
$parts = @($before -split ';' | Where-Object { $_ })
$wanted = @($elements | ForEach-Object { & $plain $_ })
$known = @($parts | ForEach-Object { & $plain $_ })
$after = if ($present) { $parts + @($elements | Where-Object { $known -notcontains (& $plain $_) }) }
else { @($parts | Where-Object { $wanted -notcontains (& $plain $_) }) }
$answer.changed = $false
$answer.path_value = @($after) -join ';'
if (@($after).Count -ne $parts.Count) {
    Change {
        $target = $root.CreateSubKey($sub)
        $target.SetValue($name, $answer.path_value, 'ExpandString')
        $target.Dispose()
        # Tells programs that look for it, Explorer above all, as setting any variable does.
        [Environment]::SetEnvironmentVariable('DRUMLINE_PATH_CHANGED', $null, $level)
    }
}
