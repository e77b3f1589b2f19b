#!/bin/sh
echo "I am $(hostname), version 0.1"
