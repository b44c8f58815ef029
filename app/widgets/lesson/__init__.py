"""The parts of the lesson view.

prose       Markdown in the window's type, with rings in their colours
marks       pending, done, right and wrong, as one small family
steps_bar   how far a lesson has come, a segment a step
option      one answer to a prediction, large enough to choose with care
predict     the question and its options
act         what to do, and whether the machine shows that it was done
outcome     what the machine showed, and why
step_page   one step from top to bottom
contents    the list of lessons
"""
