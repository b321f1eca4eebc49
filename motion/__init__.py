"""Quadruped motion with MANN, the mode-adaptive neural network (Zhang et al., SIGGRAPH 2018).

A script of commands drives the controller, the controller asks the network for the next pose
sixty times a second, the poses become a clip, the clip becomes BVH and a skinned GLB. All of it
happens in one frame: right-handed, +Y up, +Z forward, +X the animal's left, metres, seconds. It is
glTF's own frame, and the one in which the published weights, read as they are, have the bones
named Left on the left.
"""
