# Whether $creates and $removes, which may be patterns, are there.
if ($creates) { $answer.creates = Test-Path -Path ([Environment]::ExpandEnvironmentVariables($creates)) }
if ($removes) { $answer.removes = Test-Path -Path ([Environment]::ExpandEnvironmentVariables($removes)) }
