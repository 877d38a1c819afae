"""What can be seen of the incidents' faults in source code, before anything is built or deployed."""
