#!/bin/sh
echo said >> "$1"
